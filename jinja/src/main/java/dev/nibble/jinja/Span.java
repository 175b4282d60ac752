package dev.nibble.jinja;

/**
 * A stretch of text, in Unicode code points.
 *
 * @param start its first
 * @param end after its last
 */
public record Span(int start, int end) {}
