// Package gflownet holds what every GFlowNet loss shares: environments, policies, trajectories, reductions, and the shape of a loss.
//
// A trajectory runs from the source to a terminal state; its states are stored sample-major, (B, N+1, d), so that the steps of one
// sample are contiguous. Policies score all steps of all trajectories in one call. The flagship loss is package mle; a loss of one's own is a
// type with the methods of [Loss].
package gflownet
