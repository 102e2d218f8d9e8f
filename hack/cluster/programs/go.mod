module admittance.dev/hack/cluster/programs

go 1.26.0
