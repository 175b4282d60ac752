package dev.nibble.data.samples;

import dev.nibble.data.rows.RowSource;

/**
 * Rows, and how they become samples.
 *
 * @param rows the rows
 * @param samples makes a sample of each
 */
public record Dataset(RowSource rows, SampleMaker samples) {}
