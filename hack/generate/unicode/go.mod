module admittance/tables

go 1.26
