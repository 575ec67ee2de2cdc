// Package train runs the training of GFlowNets: the loop, checkpoints and evaluation.
//
// [Trainer] repeats the step of any gflownet.Loss, recorded once and replayed. [Experiment] puts a whole maximum-likelihood run together from a
// [Config]: target or data, policies, loss, trainer, checkpoints and evaluation; the weir command is a thin layer over it. [Model] is what is left of a run to sample from.
package train
