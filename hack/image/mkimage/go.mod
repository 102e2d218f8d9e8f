module admittance.dev/hack/image/mkimage

go 1.26.0
