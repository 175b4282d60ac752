package dev.nibble.data.format;

/**
 * A stretch of a sample's text.
 *
 * @param text the text
 * @param supervised whether the model is to learn to say it
 */
public record Segment(String text, boolean supervised) {}
