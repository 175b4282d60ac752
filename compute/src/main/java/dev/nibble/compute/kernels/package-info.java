/**
 * The interface of kernel sets: the operations that models are built from, by theme.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels;

import org.jspecify.annotations.NullMarked;
