package dev.nibble.trainer.export;

/**
 * What a merged tensor lost of its update. With W the weight that was trained against, D the
 * adapter's update of it and M what was written, the share is |M - (W + D)| / |D| in Frobenius
 * norms: 0 when nothing was lost, 1 when the error is as large as what was learned.
 *
 * @param tensor its name
 * @param share of the update
 */
public record LostUpdate(String tensor, double share) {}
