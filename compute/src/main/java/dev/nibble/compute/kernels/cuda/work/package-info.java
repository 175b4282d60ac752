/**
 * Tools that all kernels of a GPU share: the opened device, its programs, checked launches, pages.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.work;

import org.jspecify.annotations.NullMarked;
