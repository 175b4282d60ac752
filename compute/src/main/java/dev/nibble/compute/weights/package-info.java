/**
 * Forms of a frozen weight matrix: dense, or in few bits. Each says in plain Java what its values
 * are.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.weights;

import org.jspecify.annotations.NullMarked;
