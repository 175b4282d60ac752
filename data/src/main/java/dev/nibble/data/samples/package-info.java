/**
 * Rows to tokenised samples with their loss mask.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.samples;

import org.jspecify.annotations.NullMarked;
