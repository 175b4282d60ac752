package dev.nibble.jinja;

/**
 * A place in a template.
 *
 * @param line from 1
 * @param column from 1
 */
record Place(int line, int column) {}
