/**
 * Cross-entropy on a GPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.loss;

import org.jspecify.annotations.NullMarked;
