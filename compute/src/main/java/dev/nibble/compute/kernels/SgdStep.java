package dev.nibble.compute.kernels;

/**
 * The numbers of one update by stochastic gradient descent.
 *
 * @param learningRate of this step
 * @param momentum share of the last velocity that stays; 0 for none
 * @param weightDecay decoupled from the gradient
 */
public record SgdStep(double learningRate, double momentum, double weightDecay) {}
