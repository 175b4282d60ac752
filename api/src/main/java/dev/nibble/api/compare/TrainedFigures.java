package dev.nibble.api.compare;

/**
 * What was measured of an adapter that was trained on a base in a weight format.
 *
 * @param perplexity exp of the mean validation loss after the last step
 * @param seconds that all steps took
 */
public record TrainedFigures(double perplexity, double seconds) {}
