/** Files that are replaced as a whole. */
@NullMarked
package dev.nibble.compute.files;

import org.jspecify.annotations.NullMarked;
