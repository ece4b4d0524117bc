/* Stands for NVIDIA's driver, which is looked for by its name alone. */
int secondorder_test_driver(void);
int secondorder_test_driver(void) { return 0; }
