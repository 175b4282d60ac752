/**
 * Rows from Arrow and Parquet files; the only package that knows Arrow.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.arrow;

import org.jspecify.annotations.NullMarked;
