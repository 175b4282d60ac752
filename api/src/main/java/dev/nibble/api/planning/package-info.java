/**
 * Plans of runs, made by the code that will run, on kernels and memory that only count.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.api.planning;

import org.jspecify.annotations.NullMarked;
