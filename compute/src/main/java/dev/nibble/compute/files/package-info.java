/**
 * Files that are replaced as a whole.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.files;

import org.jspecify.annotations.NullMarked;
