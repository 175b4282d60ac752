/**
 * The portable kernel set: every kernel as ND4J operations. Nothing outside this package knows
 * ND4J.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.nd4j;

import org.jspecify.annotations.NullMarked;
