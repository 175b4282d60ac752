/**
 * Reading and writing the safetensors format.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.safetensors;

import org.jspecify.annotations.NullMarked;
