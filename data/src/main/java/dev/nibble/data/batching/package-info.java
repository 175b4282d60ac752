/** Samples to micro-batches: splitting, shuffling, packing. */
@NullMarked
package dev.nibble.data.batching;

import org.jspecify.annotations.NullMarked;
