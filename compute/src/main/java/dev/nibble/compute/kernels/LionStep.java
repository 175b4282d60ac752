package dev.nibble.compute.kernels;

/**
 * The numbers of one Lion update (arXiv:2302.06675).
 *
 * @param learningRate of this step
 * @param beta1 share of the momentum in the update's direction
 * @param beta2 decay of the momentum
 * @param weightDecay decoupled from the gradient
 */
public record LionStep(double learningRate, double beta1, double beta2, double weightDecay) {}
