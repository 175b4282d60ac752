package dev.nibble.trainer.generate;

/**
 * What a model wrote after a prompt.
 *
 * @param tokens generated ids, without the stop token
 * @param stopped true when a stop token ended it, false when the length or a listener did
 */
@SuppressWarnings("ArrayRecordComponent") // read-only; compared by identity only
public record Continuation(int[] tokens, boolean stopped) {}
