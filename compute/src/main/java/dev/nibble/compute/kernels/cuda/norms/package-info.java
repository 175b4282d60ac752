/**
 * RMSNorm and rotary position embedding on a GPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.norms;

import org.jspecify.annotations.NullMarked;
