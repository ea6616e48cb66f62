package loop

const childEnv = "LOOP_TEST_STARVE"

func starvingChild() int { return 0 }
