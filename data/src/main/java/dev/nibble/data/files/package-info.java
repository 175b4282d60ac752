/**
 * Datasets on disk: the format of a file or folder, and the rows in it.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.files;

import org.jspecify.annotations.NullMarked;
