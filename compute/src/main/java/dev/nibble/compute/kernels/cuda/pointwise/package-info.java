/** Operations on each element or column on a GPU. */
@NullMarked
package dev.nibble.compute.kernels.cuda.pointwise;

import org.jspecify.annotations.NullMarked;
