package dev.nibble.jinja;

/**
 * A span of text, in Unicode code points.
 *
 * @param start the first code point
 * @param end the code point after the last
 */
public record Span(int start, int end) {}
