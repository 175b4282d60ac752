/**
 * Rows from text files: JSON and CSV.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.text;

import org.jspecify.annotations.NullMarked;
