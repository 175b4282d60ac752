package dev.nibble.data.format;

/**
 * A part of a sample's text that is supervised as a whole or not at all.
 *
 * @param text the text
 * @param supervised whether the loss is computed on it
 */
public record Segment(String text, boolean supervised) {}
