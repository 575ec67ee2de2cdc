module example.com/tutorial

go 1.26.0

replace github.com/weir-ml/weir => ../..

require (
	github.com/stretchr/testify v1.12.1
	github.com/weir-ml/weir v0.0.0
)

require (
	github.com/x448/float16 v0.8.4 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
