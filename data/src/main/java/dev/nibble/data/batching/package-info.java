/**
 * Samples to micro-batches: splitting, shuffling, packing.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.batching;

import org.jspecify.annotations.NullMarked;
