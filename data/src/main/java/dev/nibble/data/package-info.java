/**
 * Samples and batches: what the trainer takes.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data;

import org.jspecify.annotations.NullMarked;
