/** Rows from text files: JSON and CSV. */
@NullMarked
package dev.nibble.data.text;

import org.jspecify.annotations.NullMarked;
