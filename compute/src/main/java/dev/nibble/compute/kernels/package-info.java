/** The operations that models are made of, and the sets that implement them. */
@NullMarked
package dev.nibble.compute.kernels;

import org.jspecify.annotations.NullMarked;
