package dev.nibble.data.samples;

import dev.nibble.data.rows.RowSource;

/**
 * Rows with the maker of their samples.
 *
 * @param rows the rows
 * @param samples makes a sample of each
 */
public record Dataset(RowSource rows, SampleMaker samples) {}
