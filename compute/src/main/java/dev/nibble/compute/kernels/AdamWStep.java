package dev.nibble.compute.kernels;

/**
 * The numbers of one AdamW update (arXiv:1711.05101).
 *
 * @param step t, counted from 1
 * @param learningRate of this step
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the second moment
 * @param weightDecay decoupled from the gradient
 */
public record AdamWStep(
    long step,
    double learningRate,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay) {}
