package dev.nibble.api.compare;

import java.util.OptionalDouble;

/**
 * What was measured of a base model in a weight format, before any training.
 *
 * @param bits of a quantised weight, with all that belongs to it: scales, zero points
 * @param bytes of the quantised matrices
 * @param modelBytes of the whole model, the rest as its files store it
 * @param weightError norm of the error of all quantised matrices, relative to the norm of their
 *     values: {@code ||W - What||_F / ||W||_F}
 * @param outputError mean over held-out tokens of the divergence KL(p || q) in nats, with p the
 *     base's distribution of the next token and q that in this format; empty where the base itself
 *     could not be measured
 * @param perplexity exp of the mean validation loss
 * @param seconds that quantising took, without reading
 * @param tokensPerSecond of training steps with the recipe's adapter; empty where it has none, or
 *     there is too little memory for a step
 */
public record FormatFigures(
    double bits,
    long bytes,
    long modelBytes,
    double weightError,
    OptionalDouble outputError,
    double perplexity,
    double seconds,
    OptionalDouble tokensPerSecond) {}
