/** RMSNorm and rotary position embedding on a GPU. */
@NullMarked
package dev.nibble.compute.kernels.cuda.norms;

import org.jspecify.annotations.NullMarked;
