/**
 * The CUDA driver's C interface, and owners of its objects. Nothing here knows kernels.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.driver;

import org.jspecify.annotations.NullMarked;
