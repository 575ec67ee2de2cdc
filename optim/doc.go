// Package optim provides optimisers over the named parameters of package nn.
//
// Numbers that change from step to step, the learning rate and the step count, live on the device, so that a recorded training step
// stays right when it is replayed.
package optim
