/** The CUDA driver's C interface, and owners of what it hands out. Nothing here knows kernels. */
@NullMarked
package dev.nibble.compute.kernels.cuda.driver;

import org.jspecify.annotations.NullMarked;
