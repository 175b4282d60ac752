/** Reading and writing the safetensors format. */
@NullMarked
package dev.nibble.compute.safetensors;

import org.jspecify.annotations.NullMarked;
