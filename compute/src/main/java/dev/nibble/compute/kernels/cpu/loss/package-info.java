/** Cross-entropy on the CPU. */
@NullMarked
package dev.nibble.compute.kernels.cpu.loss;

import org.jspecify.annotations.NullMarked;
