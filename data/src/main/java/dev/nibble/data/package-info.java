/** Samples and batches: what the trainer takes. */
@NullMarked
package dev.nibble.data;

import org.jspecify.annotations.NullMarked;
