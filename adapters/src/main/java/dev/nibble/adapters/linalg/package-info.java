/**
 * Decompositions of large matrices: EJML for the small ones, the kernels for products.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.adapters.linalg;

import org.jspecify.annotations.NullMarked;
