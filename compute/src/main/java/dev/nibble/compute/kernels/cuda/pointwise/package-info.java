/**
 * Operations on each element or column on a GPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.pointwise;

import org.jspecify.annotations.NullMarked;
