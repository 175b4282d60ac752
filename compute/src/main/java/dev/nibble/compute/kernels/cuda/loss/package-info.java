/** Cross-entropy on a GPU. */
@NullMarked
package dev.nibble.compute.kernels.cuda.loss;

import org.jspecify.annotations.NullMarked;
