/** Datasets on disk: the format of a file or folder, and the rows in it. */
@NullMarked
package dev.nibble.data.files;

import org.jspecify.annotations.NullMarked;
