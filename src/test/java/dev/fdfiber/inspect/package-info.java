/** Tests of what shows a running scheduler. */
package dev.fdfiber.inspect;
