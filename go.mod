module github.com/weir-ml/weir

go 1.26
