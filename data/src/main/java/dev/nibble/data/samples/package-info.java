/** Rows to tokenised samples with their loss mask. */
@NullMarked
package dev.nibble.data.samples;

import org.jspecify.annotations.NullMarked;
