/** Finds out what a dataset on disk is and opens it. */
@NullMarked
package dev.nibble.data.files;

import org.jspecify.annotations.NullMarked;
