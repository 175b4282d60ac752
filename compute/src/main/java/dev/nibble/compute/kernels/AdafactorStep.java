package dev.nibble.compute.kernels;

/**
 * The numbers of one Adafactor update (arXiv:1804.04235).
 *
 * @param learningRate of this step
 * @param beta2 decay of the second moments at this step
 * @param epsilon added to each squared gradient
 * @param clip largest root mean square of an update before the learning rate
 * @param weightDecay decoupled from the gradient
 */
public record AdafactorStep(
    double learningRate, double beta2, double epsilon, double clip, double weightDecay) {}
